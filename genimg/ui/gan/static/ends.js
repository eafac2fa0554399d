// The picture at both ends of each slider. value: {ends: [[at its low end, at its high end], ...]}
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

show();
watch('value', show);
