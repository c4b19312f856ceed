"""ONNX files: onnx.checker accepts them, and they have the promised versions, input and output."""
import sys

import onnx
import onnx.numpy_helper

for name in sys.argv[1:]:
    model = onnx.load(name)
    onnx.checker.check_model(model, full_check=True)
    assert model.ir_version == 7 and [(o.domain, o.version) for o in model.opset_import] == [("", 13)]
    (given, *lengths), (made,) = model.graph.input, model.graph.output
    assert [i.name for i in lengths] == (["lengths"] if "lengths" in name else [])
    dims = given.type.tensor_type.shape.dim
    tokens = {p.key: p.value for p in model.metadata_props}["input"] == "tokens"
    assert given.name == ("tokens" if tokens else "input") and made.name == "output" and dims[0].dim_param == "N"
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    assert [d.dim_value for d in inferred.graph.output[0].type.tensor_type.shape.dim][1:] == [
        d.dim_value for d in made.type.tensor_type.shape.dim][1:]
    constants = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    for node in model.graph.node:
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        assert node.op_type != "Gemm" or attributes["transB"] == 1
        assert node.op_type != "Softmax" or attributes["axis"] in (1, 2, 3)
        assert node.op_type != "Reshape" or constants[node.input[1]][0] == 0  # the rows are not fixed
    assert {p.key for p in model.metadata_props} >= {"lockstep", "model", "classes", "input", "output", "checkpoint"}
print(f"onnx.checker: {len(sys.argv) - 1} networks")
