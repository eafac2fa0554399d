// The picture at both ends of each slider, which a click on it moves there. value: {ends: [[at its low end, at its high end], ...]}
// A slider belongs to Gradio, which draws it anew when it likes; what stands in the root stays.
const root = document.documentElement;

function show() {
  const ends = props.value?.ends ?? [];
  ends.forEach((pair, i) => pair.forEach((src, end) => {
    if (src.startsWith('data:image/png;base64,')) {
      root.style.setProperty(`--${end ? 'high' : 'low'}-end-${i}`, `url(${src})`);
    }
  }));
}

// They are drawn beside the slider, so that a click on one meets what is around them.
document.addEventListener('click', ({ target, clientX }) => {
  if (!target.matches?.('.named .slider_input_container')) return;
  const slider = target.querySelector('input[type=range]');
  const { left, right } = slider.getBoundingClientRect();
  slider.value = clientX < (left + right) / 2 ? slider.min : slider.max;
  slider.dispatchEvent(new Event('input', { bubbles: true }));
});
show();
watch('value', show);
