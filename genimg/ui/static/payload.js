// Arrays that came as one block of bytes (genimg/ui/payload.py).
// Returns {name: {data, shape}}; data is a typed array over the block, not a copy.
function unpack(payload) {
  const types = { uint8: Uint8Array, int32: Int32Array, float32: Float32Array };
  const block = Uint8Array.from(atob(payload.bytes), (letter) => letter.charCodeAt(0)).buffer;
  const arrays = {};
  for (const { name, dtype, shape, offset } of payload.arrays) {
    const length = shape.reduce((product, side) => product * side, 1);
    arrays[name] = { data: new types[dtype](block, offset, length), shape };
  }
  return arrays;
}

// Item `index` (one number for each leading axis) of an array, as a typed array over its block.
function itemOf({ data, shape }, ...index) {
  const size = shape.slice(index.length).reduce((product, side) => product * side, 1);
  const position = index.reduce((sum, i, axis) => sum * shape[axis] + i, 0);
  return data.subarray(position * size, (position + 1) * size);
}
