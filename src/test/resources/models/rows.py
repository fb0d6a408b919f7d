"""Writes the models of RowInfluenceSearchTests to the folder rows: pip install onnx==1.23.2; python rows.py"""
from pathlib import Path

import onnx
import onnx.parser


def numbers(count):
    """Weights between -1 and 1 without a pattern."""
    return ", ".join(str(i * 37 % 101 / 50 - 1) for i in range(count))


MODELS = {
    # The rows of these influence each other.
    "dynamic-quantization": """(float[b,4] x) => (float[b,2] y)
        <int8[4,2] w = {90, -120, 15, 64, -33, 127, 70, -81}> {
            quantized, scale, zero = DynamicQuantizeLinear(x)
            product = MatMulInteger(quantized, w, zero)
            sum = Cast<to = 1>(product)
            y = Mul(sum, scale)
        }""",
    "cumulative-sum": """(float[b,4] x) => (float[b,4] y) <int64 axis = {0}> {
            y = CumSum(x, axis)
        }""",
    "string-split": """(string[b] x) => (string[b,w] y) {
            y, count = StringSplit<delimiter = " ">(x)
        }""",
    "sort": """(float[b] x) => (float[b] y) {
            size = Shape(x)
            y, index = TopK<axis = 0>(x, size)
        }""",
    "gru-time-major": f"""(float[b,1,2] x) => (float[b,1,1,3] y)
        <float[1,9,2] w = {{{numbers(18)}}}, float[1,9,3] r = {{{numbers(27)}}}> {{
            y = GRU<hidden_size = 3>(x, w, r)
        }}""",
    "if-maximum": """(float[b,4] x) => (float[b,4] y) <float limit = {20}> {
            largest = ReduceMax<keepdims = 0>(x)
            isLarge = Greater(largest, limit)
            y = If (isLarge) <
                then_branch = large () => (float[b,4] negative) { negative = Neg(x) },
                else_branch = small () => (float[b,4] positive) { positive = Abs(x) }
            >
        }""",
    # The rows of these do not.
    "mlp": f"""(float[b,4] x) => (float[b,3] y)
        <float[4,8] w = {{{numbers(32)}}}, float[8] c = {{{numbers(8)}}}, float[8,3] v = {{{numbers(24)}}}> {{
            hidden = Gemm(x, w, c)
            active = Relu(hidden)
            y = MatMul(active, v)
        }}""",
    "softmax": """(float[b,4] x) => (float[b,4] y) {
            y = Softmax<axis = 1>(x)
        }""",
    "embedding": f"""(int64[b,t] ids, int64[b,t] types) => (float[b,t,3] y)
        <float[12,3] e = {{{numbers(36)}}}, float[2,3] f = {{{numbers(6)}}}> {{
            word = Gather(e, ids)
            type = Gather(f, types)
            y = Add(word, type)
        }}""",
    "label-encoder": """(string[b,2] x) => (int64[b,2] y) {
            y = ai.onnx.ml.LabelEncoder<keys_strings = ["a", "1"], values_int64s = [1, 2]>(x)
        }""",
    "several-inputs": """(float[b,3] a, bool[b,3] mask, int32[b] count) => (float[b,3] y, int32[b] square)
        <float zero = {0}> {
            y = Where(mask, a, zero)
            square = Mul(count, count)
        }""",
    "image": f"""(float[b,1,h,w] x) => (float[b,2,1,1] y) <float[2,1,7,7] k = {{{numbers(98)}}}> {{
            convolved = Conv(x, k)
            y = GlobalAveragePool(convolved)
        }}""",
}

for name, graph in MODELS.items():
    header = '<ir_version: 9, opset_import: ["" : 20, "ai.onnx.ml" : 3]> '
    model = onnx.parser.parse_model(header + name.replace("-", "_") + " " + graph)
    onnx.checker.check_model(model)
    onnx.save(model, Path(__file__).with_name("rows") / f"{name}.onnx")
