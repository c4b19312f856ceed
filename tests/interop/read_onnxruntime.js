// ONNX files in ONNX Runtime.
const { load, run } = require('./cases.js')
const ort = load('onnxruntime-node')
run('ONNX Runtime', 'onnx', async (name, x, shape, arranged, lengths) => {
  const session = await ort.InferenceSession.create(name + '.onnx')
  const vector = name.includes('vector') ? shape.slice(0, 2) : shape
  const tokens = [shape[0], shape[1] * shape[2] * shape[3]]
  const integers = (values, dims) => new ort.Tensor('int64', BigInt64Array.from(values, BigInt), dims)
  const { output } = await session.run({
    ...(name.includes('tokens') ? { tokens: integers(x, tokens) } : { input: new ort.Tensor('float32', x, vector) }),
    ...(lengths.length ? { lengths: integers(lengths, [lengths.length]) } : {})
  })
  return output.data
})
