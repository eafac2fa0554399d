// Numbers as the whole page writes them; what is too small to be written so says that it is smaller.
function percent(share) {
  const number = 100 * share;
  if (number === 0) return '0 %';
  if (number < 0.01) return '<0.01 %';
  if (number >= 99.95) return number === 100 ? '100 %' : '>99.9 %';
  return `${number.toFixed(number < 10 ? 2 : 1)} %`;
}
