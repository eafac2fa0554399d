// The next token's distribution, reshaped without asking the model again.

// The tokens, the likeliest first; among equally likely ones the lower number.
function likeliestFirst(logits) {
  return Array.from(logits.keys()).sort((a, b) => logits[b] - logits[a]);
}

// The same as next_token_distribution of genimg/models/sampling.py, in double precision.
function nextTokenDistribution(logits, temperature, topK, topP, order = likeliestFirst(logits)) {
  if (temperature === 0) [temperature, topK] = [1, 1];
  const kept = topK ? order.slice(0, topK) : order;
  const weights = kept.map((token) => Math.exp((logits[token] - logits[order[0]]) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const probabilities = new Float64Array(logits.length);
  let before = 0;
  for (let rank = 0; rank < kept.length && (topP >= 1 || before < topP); rank += 1) {
    probabilities[kept[rank]] = weights[rank] / total;
    before += weights[rank] / total;
  }
  return probabilities.map((probability) => probability / before);
}

// Words: 1st, 2nd, 3rd, 4th, 11th, 21st, ...
function ordinal(number) {
  const teen = Math.floor(number / 10) % 10 === 1;
  const end = (!teen && ['', 'st', 'nd', 'rd'][number % 10]) || 'th';
  return { say: `transformer.ordinal.${end}`, number: `${number}` };
}

// Rows of candidates, made once: a patch, the token's number, a bar, its probability.
function makeBars(target, count) {
  return Array.from({ length: count }, () => {
    const row = document.createElement('div');
    const [patch, token] = [document.createElement('canvas'), document.createElement('span')];
    const [track, share] = [document.createElement('div'), document.createElement('span')];
    const [bar, before] = [document.createElement('i'), document.createElement('b')];
    patch.className = 'hatched';
    track.append(bar, before);
    row.append(patch, token, track, share);
    target.append(row);
    return { row, patch, token, bar, before, share };
  });
}

function paintBar(line, { token, probability, before, scale, drawn }) {
  line.row.classList.toggle('drawn', drawn);
  line.row.classList.toggle('impossible', probability === 0);
  put(line.token, drawn ? 'transformer.next.drawn' : `${token}`, drawn ? { token: `${token}` } : {});
  line.bar.style.width = `${(100 * probability) / scale}%`;
  line.before.style.left = `${(100 * before) / scale}%`;
  line.share.textContent = percent(probability);
}
