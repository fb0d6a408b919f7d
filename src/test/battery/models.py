"""The models of the battery. Each has a name, an ONNX file, and inputs that it can use."""
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnx.parser
import skl2onnx
from catboost import CatBoostClassifier, CatBoostRegressor
from lightgbm import LGBMClassifier, LGBMRegressor
from onnxmltools import convert_lightgbm, convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType as OnnxmltoolsFloats
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType
from sklearn import compose, datasets, decomposition, discriminant_analysis, ensemble, feature_extraction, linear_model
from sklearn import cluster, multioutput, naive_bayes, neighbors, neural_network, pipeline, preprocessing, svm, tree
from xgboost import XGBClassifier, XGBRegressor

X, Y = datasets.load_iris(return_X_y=True)
X = X.astype(np.float32)
NAMES = np.array(["setosa", "versicolor", "virginica"])
ROWS = X[::12]
X_WITH_NAN = np.where(np.arange(X.size).reshape(X.shape) % 7 == 3, np.nan, X)

CLASSIFIERS = {
    "logistic-regression": linear_model.LogisticRegression(max_iter=1000),
    "sgd": linear_model.SGDClassifier(loss="log_loss", random_state=0),
    "nu-svc": svm.NuSVC(),
    "decision-tree": tree.DecisionTreeClassifier(max_depth=4),
    "random-forest": ensemble.RandomForestClassifier(10, random_state=0),
    "extra-trees": ensemble.ExtraTreesClassifier(10, random_state=0),
    "gradient-boosting": ensemble.GradientBoostingClassifier(n_estimators=10),
    "k-neighbors": neighbors.KNeighborsClassifier(),
    "naive-bayes": naive_bayes.GaussianNB(),
    "lda": discriminant_analysis.LinearDiscriminantAnalysis(),
    "mlp": neural_network.MLPClassifier(hidden_layer_sizes=(8,), max_iter=2000, random_state=0),
    "scaled": pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression()),
}

# Regressors and other estimators that put out numbers
REGRESSORS = {
    "linear-regression": linear_model.LinearRegression(),
    "lasso": linear_model.Lasso(alpha=0.01),
    "svr": svm.SVR(),
    "decision-tree-regressor": tree.DecisionTreeRegressor(max_depth=4),
    "random-forest-regressor": ensemble.RandomForestRegressor(10, random_state=0),
    "gradient-boosting-regressor": ensemble.GradientBoostingRegressor(n_estimators=10),
    "k-neighbors-regressor": neighbors.KNeighborsRegressor(),
    "mlp-regressor": neural_network.MLPRegressor(hidden_layer_sizes=(8,), max_iter=2000, random_state=0),
    "polynomial": pipeline.make_pipeline(preprocessing.PolynomialFeatures(degree=2), linear_model.Ridge()),
    "k-means": cluster.KMeans(n_clusters=3, n_init=1, random_state=0),
    "pca": decomposition.PCA(n_components=2),
    "isolation-forest": ensemble.IsolationForest(n_estimators=10, random_state=0),
}

# Graphs in the text format of ONNX, with inputs
GRAPHS = {
    "unknown-rank": ("(float[] x) => (float[] y) { y = Abs(x) }", {"x": -ROWS}),
    "rank-by-input": ("""(float[b,4] x) => (float[] y) <float limit = {60}> {
        sum = ReduceSum<keepdims = 0>(x)
        many = Greater(sum, limit)
        y = If(many) <then_branch = one () => (float[] a) { a = ReduceSum<keepdims = 0>(x) },
            else_branch = all () => (float[] c) { c = Abs(x) }>
        }""", {"x": ROWS}),
    "declares-another-shape": ("(float[b,4] x) => (float[b] y) { y = Abs(x) }", {"x": ROWS}),
    "scalars": ("(float x, int64 n) => (float y) { m = Cast<to = 1>(n) \n y = Mul(x, m) }",
                {"x": np.array(1.5, np.float32), "n": np.array(3)}),
    "global-sum": ("(float[b,4] x) => (float[1] y) <int64[1] axes = {0}> "
                   "{ z = ReduceSum<keepdims = 0>(x) \n y = Unsqueeze(z, axes) }", {"x": ROWS}),
    "non-zero": ("(float[b,4] x) => (int64[2,n] y) { y = NonZero(x) }", {"x": ROWS - ROWS[0]}),
    "cumulative-sum": ("(float[b,4] x) => (float[b,4] y) <int64 axis = {0}> { y = CumSum(x, axis) }", {"x": ROWS}),
    "softmax": ("(float[b,4] x) => (float[b,4] y) { y = Softmax<axis = 1>(x) }", {"x": ROWS}),
    "softmax-over-rows": ("(float[b,4] x) => (float[b,4] y) { y = Softmax<axis = 0>(x) }", {"x": ROWS}),
    "nan-and-infinity": ("(float[b,4] x) => (float[b,4] y) { y = Log(x) }",
                         {"x": np.float32([[0, 1, -1, np.inf], [np.nan, 2, 0, -0.0]])}),
    "no-rows": ("(float[b,4] x) => (float[b,4] y) { y = Abs(x) }", {"x": ROWS[:0]}),
    "no-columns": ("(float[b,0] x) => (float[b,0] y) { y = Abs(x) }", {"x": ROWS[:, :0]}),
    "no-inputs": ("() => (float[2] y) <float[2] w = {1, 2}> { y = Abs(w) }", {}),
    "several-inputs": ("(float[b] age, string[b] city, int64[b,2] counts) => (float[b] a, string[b] c, int64[b,2] n) "
                       "{ a = Abs(age) \n c = Identity(city) \n n = Neg(counts) }",
                       {"age": -ROWS[:, 0], "city": NAMES[np.arange(13) % 3].astype(object),
                        "counts": np.arange(26).reshape(13, 2)}),
    "inputs-of-two-sizes": ("(float[n,2] a, float[m,2] c) => (float[n,m] y) "
                            "{ t = Transpose(c) \n y = MatMul(a, t) }", {"a": ROWS[:3, :2], "c": ROWS[:5, 2:]}),
    "optional-input": ("(float[b,4] x, float[4] bias) => (float[b,4] y) <float[4] bias = {1, 2, 3, 4}> "
                       "{ y = Add(x, bias) }", {"x": ROWS}),
    "quantised": ("""(float[b,4] x) => (float[b,2] y) <int8[4,2] w = {90, -120, 15, 64, -33, 127, 70, -81},
        float scale = {0.05}, float weight = {0.01}, uint8 zero = {128}, int8 none = {0}> {
        q = QuantizeLinear(x, scale, zero)
        p = QLinearMatMul(q, scale, zero, w, weight, none, scale, zero)
        y = DequantizeLinear(p, scale, zero)
        }""", {"x": ROWS}),
    "dynamically-quantised": ("""(float[b,4] x) => (float[b,2] y) <int8[4,2] w = {90, -120, 15, 64, -33, 127, 70, -81}> {
        q, s, z = DynamicQuantizeLinear(x)
        p = MatMulInteger(q, w, z)
        f = Cast<to = 1>(p)
        y = Mul(f, s)
        }""", {"x": ROWS}),
    "half-precision-inside": ("""(float[b,4] x) => (float[b,2] y) <float16[4,2] w = {1, 2, 3, 4, 5, 6, 7, 8}> {
        h = Cast<to = 10>(x)
        p = MatMul(h, w)
        y = Cast<to = 1>(p)
        }""", {"x": ROWS}),
    "bfloat-inside": ("(float[b,4] x) => (float[b,4] y) { h = Cast<to = 16>(x) \n y = Cast<to = 1>(h) }", {"x": ROWS}),
    "fixed-batch": ("(float[2,4] x) => (float[2,4] y) { y = Abs(x) }", {"x": ROWS[:2]}),
    "time-major": ("(float[t,b,4] x) => (float[t,b,4] y) { y = Abs(x) }", {"x": X[:24].reshape(3, 8, 4)}),
    "image": ("(float[b,3,h,w] x) => (float[b,3,p,q] y) { y = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(x) }",
              {"x": np.arange(2 * 3 * 8 * 6, dtype=np.float32).reshape(2, 3, 8, 6)}),
    "gather": ("(int64[b,t] ids) => (float[b,t,2] y) <float[4,2] e = {1, 2, 3, 4, 5, 6, 7, 8}> { y = Gather(e, ids) }",
               {"ids": np.arange(12).reshape(3, 4) % 4}),
    "sequence": ("(float[b,4] x) => (seq(float[b,4]) y) { z = Neg(x) \n y = SequenceConstruct(x, z) }", {"x": ROWS}),
    "sequence-of-two-shapes": ("(float[b,4] x) => (seq(float[]) y) { z = ReduceMean<axes = [1]>(x) \n "
                               "y = SequenceConstruct(x, z) }", {"x": ROWS}),
    "sequence-of-texts": ("(string[b] x) => (seq(string[b]) y) { y = SequenceConstruct(x, x) }",
                          {"x": np.array(["a", "", "漢字🙂"], object)}),
    "split-texts": ('(string[b] x) => (string[b,w] y, int64[b] n) { y, n = StringSplit<delimiter = " ">(x) }',
                    {"x": np.array(["a b c", "d", "🙂 e"], object)}),
    "upper-case": ('(string[n] x) => (string[n] y) { y = StringNormalizer<case_change_action = "UPPER", '
                   'locale = "C">(x) }', {"x": np.array(["ab", "c"], object)}),
    "names": ('(float[b] "my input: é") => (float[b] "out/put.0") { "out/put.0" = Abs("my input: é") }',
              {"my input: é": -ROWS[:, 0]}),
    **{f"identity-{name}": (f"({name}[b,2] x) => ({name}[b,2] y) {{ y = Identity(x) }}", {"x": values})
       for name, values in {
           "bool": np.array([[True, False], [False, True]]),
           **{kind: np.array([[np.iinfo(kind).min, np.iinfo(kind).max], [0, 1]], kind)
              for kind in ("int8", "uint8", "int16", "int32", "int64")},
           "float16": np.float16([[1.5, -65504], [6e-8, np.inf]]),
           "float": np.float32([[1.1, -3.4028235e38], [1e-45, np.nan]]),
           "double": np.array([[1.1, -1.7e308], [5e-324, np.inf]]),
           "string": np.array([["a", ""], ["é漢🙂", '"\\\n']], object)}.items()},
    **{f"output-{name}": (f"(int64[b,2] x) => ({name}[b,2] y) {{ y = Cast<to = {code}>(x) }}",
                          {"x": np.array([[0, 1], [np.iinfo(name).max % 2**63, 7]])})
       for name, code in {"uint16": 4, "uint32": 12, "uint64": 13}.items()},
}


def to_onnx(*arguments, **options):
    # Some converters do not support newer operator sets.
    return skl2onnx.to_onnx(*arguments, target_opset={"": 18, "ai.onnx.ml": 3}, **options)


def graph(text):
    # Only StringSplit needs a newer operator set.
    return onnx.parser.parse_model(f'<ir_version: 9, opset_import: ["": 17, "ai.onnx.ml": 3]> g {text}'
                                   if "StringSplit" not in text else
                                   f'<ir_version: 9, opset_import: ["": 20]> g {text}')


def zip_map(keys, kind):
    """A model that returns maps with the given keys."""
    zipped = onnx.helper.make_node("ZipMap", ["x"], ["y"], domain="ai.onnx.ml",
                                   **{f"classlabels_{kind}": keys})
    key = {"strings": onnx.TensorProto.STRING, "int64s": onnx.TensorProto.INT64}[kind]
    value = onnx.helper.make_tensor_type_proto(onnx.TensorProto.FLOAT, [])
    maps = onnx.helper.make_sequence_type_proto(onnx.helper.make_map_type_proto(key, value))
    x = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["b", len(keys)])
    made = onnx.helper.make_graph([zipped], "g", [x], [onnx.helper.make_value_info("y", maps)])
    return onnx.helper.make_model(made, ir_version=9, opset_imports=[
        onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("ai.onnx.ml", 3)])


def catboost(model):
    with tempfile.TemporaryDirectory() as folder:
        model.save_model(f"{folder}/model.onnx", format="onnx")
        return onnx.load(f"{folder}/model.onnx")


def tables():
    """Models of scikit-learn whose columns have names and types."""
    colors = np.array(["red", "green", "blue"], object)[np.arange(len(X)) % 3].reshape(-1, 1)
    mixed = np.hstack([X.astype(object), colors])
    columns = compose.ColumnTransformer([("scale", preprocessing.StandardScaler(), [0, 1, 2, 3]),
                                         ("code", preprocessing.OneHotEncoder(handle_unknown="ignore"), [4])])
    fitted = pipeline.make_pipeline(columns, linear_model.LogisticRegression(max_iter=1000)).fit(mixed, NAMES[Y])
    types = [("numbers", FloatTensorType([None, 4])), ("color", StringTensorType([None, 1]))]
    yield "mixed-columns", to_onnx(fitted, initial_types=types), {"numbers": ROWS, "color": colors[:len(ROWS)]}
    ordinal = preprocessing.OrdinalEncoder(dtype=np.int64).fit(colors)
    yield "ordinal", to_onnx(ordinal, initial_types=types[1:]), {"color": colors[:4]}
    texts = np.array(["a good day", "a bad day", "good good", "so bad"], object)
    for name, vectorizer in {"tf-idf": feature_extraction.text.TfidfVectorizer(),
                             "counts": feature_extraction.text.CountVectorizer()}.items():
        fitted = pipeline.make_pipeline(vectorizer, linear_model.LogisticRegression()).fit(texts, [1, 0, 1, 0])
        model = to_onnx(fitted, initial_types=[("text", StringTensorType([None, 1]))],
                        options={type(vectorizer): {"locale": "C"}})
        yield name, model, {"text": texts.reshape(-1, 1)}
    two_targets = np.stack([Y, Y % 2], axis=1)
    yield ("multi-output-classifier",
           to_onnx(multioutput.MultiOutputClassifier(tree.DecisionTreeClassifier(max_depth=3)).fit(X, two_targets), X[:1]),
           {"X": ROWS})
    yield ("multi-output-regressor",
           to_onnx(multioutput.MultiOutputRegressor(linear_model.Ridge()).fit(X, two_targets), X[:1]), {"X": ROWS})
    counts = (X * 10).astype(np.int64)
    model = to_onnx(naive_bayes.MultinomialNB().fit(counts, Y), initial_types=[("n", Int64TensorType([None, 4]))])
    yield "integers", model, {"n": counts[::12]}


def boosters():
    """The models of the libraries for boosted trees, also with missing values."""
    types = [("X", OnnxmltoolsFloats([None, 4]))]
    for labels, name in ((NAMES[Y], "names"), (Y, "numbers"), (Y % 2, "binary")):
        fitted = LGBMClassifier(n_estimators=10, verbose=-1).fit(X, labels)
        yield f"lightgbm-{name}", convert_lightgbm(fitted, initial_types=types), {"X": ROWS}
    yield "lightgbm-tensor", convert_lightgbm(fitted, initial_types=types, zipmap=False), {"X": ROWS}
    fitted = LGBMRegressor(n_estimators=10, verbose=-1).fit(X_WITH_NAN, Y)
    yield "lightgbm-regressor", convert_lightgbm(fitted, initial_types=types), {"X": X_WITH_NAN[::12]}
    for labels, name in ((Y, "numbers"), (Y % 2, "binary")):
        fitted = XGBClassifier(n_estimators=10).fit(X, labels)
        yield f"xgboost-{name}", convert_xgboost(fitted, initial_types=types), {"X": ROWS}
    fitted = XGBRegressor(n_estimators=10).fit(X_WITH_NAN, Y)
    yield "xgboost-regressor", convert_xgboost(fitted, initial_types=types), {"X": X_WITH_NAN[::12]}
    options = {"iterations": 10, "verbose": False, "allow_writing_files": False, "random_seed": 0}
    for labels, name in ((NAMES[Y], "names"), (Y, "numbers"), (Y % 2, "binary")):
        yield f"catboost-{name}", catboost(CatBoostClassifier(**options).fit(X, labels)), {"features": ROWS}
    yield "catboost-regressor", catboost(CatBoostRegressor(**options).fit(X, Y)), {"features": ROWS}


def models():
    """All models except those of Python packages, as (name, model, inputs)."""
    for index, (name, estimator) in enumerate(CLASSIFIERS.items()):
        yield name, to_onnx(estimator.fit(X, NAMES[Y] if index % 2 else Y), X[:1]), {"X": ROWS}
        if index % 2:
            yield f"{name}-tensor", to_onnx(estimator, X[:1], options={"zipmap": False}), {"X": ROWS}
    fitted = linear_model.LogisticRegression(max_iter=1000).fit(X, NAMES[Y])
    yield "output-for-each-class", to_onnx(fitted, X[:1], options={"zipmap": "columns"}), {"X": ROWS}
    for name, estimator in REGRESSORS.items():
        yield name, to_onnx(estimator.fit(X, X @ [1, 2, 3, 4]), X[:1]), {"X": ROWS}
    yield from tables()
    yield from boosters()
    yield "map-with-numbers", zip_map([30, 4, -1, 100], "int64s"), {"x": ROWS}
    yield "map-with-texts", zip_map(["b", "ð", "ärm", "A"], "strings"), {"x": ROWS}
    for name, (text, inputs) in GRAPHS.items():
        yield name, graph(text), inputs
