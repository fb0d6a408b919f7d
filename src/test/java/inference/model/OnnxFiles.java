package inference.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.AttributeProto.AttributeType;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataLocation;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto.Dimension;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;

/**
 * Tiny ONNX models, built in memory, so that tests need no files.
 */
public final class OnnxFiles {

	private OnnxFiles() {
	}

	/** The model at a location, with one thread on the CPU. */
	public static OnnxModel open(String location) {
		return new OnnxModel(new ModelProperties("test", "1", location, 1, "cpu", List.of(), List.of()));
	}

	/** A model from bytes, which are written to {@code model.onnx}. */
	static OnnxModel load(byte[] model, Path directory) throws IOException {
		return open(Files.write(directory.resolve("model.onnx"), model).toString());
	}

	/**
	 * Returns {@code x} as {@code y}. Both have the given type and shape, in which -1 is
	 * any size.
	 */
	public static byte[] identity(DataType type, long... shape) {
		return model(identityGraph(type, shape));
	}

	private static GraphProto.Builder identityGraph(DataType type, long... shape) {
		return GraphProto.newBuilder()
			.setName("identity")
			.addInput(tensor("x", type, shape))
			.addNode(node("Identity", List.of("x"), "y"))
			.addOutput(tensor("y", type, shape));
	}

	/**
	 * Returns {@code a}, INT64 [-1], as {@code same-a} and {@code b}, FP32 [-1,2,3], as
	 * {@code same-b}.
	 */
	static byte[] twoInputs() {
		return model(GraphProto.newBuilder()
			.setName("two-inputs")
			.addInput(tensor("a", DataType.INT64, -1))
			.addInput(tensor("b", DataType.FLOAT, -1, 2, 3))
			.addNode(node("Identity", List.of("a"), "same-a"))
			.addNode(node("Identity", List.of("b"), "same-b"))
			.addOutput(tensor("same-a", DataType.INT64, -1))
			.addOutput(tensor("same-b", DataType.FLOAT, -1, 2, 3)));
	}

	/**
	 * Adds {@code a} and {@code b} to {@code sum}, all FP32 [-1].
	 */
	static byte[] sum() {
		return model(GraphProto.newBuilder()
			.setName("sum")
			.addInput(tensor("a", DataType.FLOAT, -1))
			.addInput(tensor("b", DataType.FLOAT, -1))
			.addNode(node("Add", List.of("a", "b"), "sum"))
			.addOutput(tensor("sum", DataType.FLOAT, -1)));
	}

	/**
	 * Makes a sequence {@code y} from the numbers 0 to {@code limit} by an operator. The
	 * file does not declare the rank of {@code limit}, which is a scalar.
	 */
	static byte[] counted(String operator) {
		ValueInfoProto.Builder limit = tensor("limit", DataType.INT64).toBuilder();
		limit.getTypeBuilder().getTensorTypeBuilder().clearShape();
		return model(GraphProto.newBuilder()
			.setName("counted")
			.addInput(limit)
			.addInitializer(scalar("start", 0))
			.addInitializer(scalar("delta", 1))
			.addNode(node("Add", List.of("limit", "delta"), "end"))
			.addNode(node("Range", List.of("start", "end", "delta"), "numbers"))
			.addNode(node(operator, List.of("numbers"), "y"))
			.addOutput(sequenceOf("y", tensor("numbers", DataType.INT64, -1))));
	}

	private static TensorProto scalar(String name, long value) {
		return TensorProto.newBuilder()
			.setName(name)
			.setDataType(DataType.INT64.getNumber())
			.addInt64Data(value)
			.build();
	}

	/**
	 * Returns the largest element of each row of {@code x}, FP32 [-1,-1], as
	 * {@code largest}. ONNX Runtime ends the process if there are no rows.
	 */
	static byte[] largest() {
		TensorProto one = scalar("k", 1).toBuilder().addDims(1).build();
		return model(GraphProto.newBuilder()
			.setName("largest")
			.addInput(tensor("x", DataType.FLOAT, -1, -1))
			.addInitializer(one)
			.addNode(node("TopK", List.of("x", "k"), "largest").toBuilder().addOutput("index"))
			.addOutput(tensor("largest", DataType.FLOAT, -1, 1)));
	}

	/** Multiplies {@code x}, FP32 [-1,2], by the scalar {@code k}, FP32 []. */
	static byte[] scaled() {
		return model(GraphProto.newBuilder()
			.setName("scaled")
			.addInput(tensor("x", DataType.FLOAT, -1, 2))
			.addInput(tensor("k", DataType.FLOAT))
			.addNode(node("Mul", List.of("x", "k"), "y"))
			.addOutput(tensor("y", DataType.FLOAT, -1, 2)));
	}

	/**
	 * Like {@link #sum()}, with an operator, operator set and format that need not exist.
	 */
	static byte[] sum(String operator, int operators, int format) {
		ModelProto.Builder model = proto(sum()).toBuilder().setIrVersion(format);
		model.getOpsetImportBuilder(0).setVersion(operators);
		model.getGraphBuilder().getNodeBuilder(0).setOpType(operator);
		return model.build().toByteArray();
	}

	/** Like {@link #sum()}, with the default value 3 for {@code b}. */
	static byte[] sumWithDefault() {
		ModelProto.Builder model = proto(sum()).toBuilder();
		model.getGraphBuilder().setInput(1, tensor("b", DataType.FLOAT)).addInitializer(floats("b", 3));
		return model.build().toByteArray();
	}

	/**
	 * Appends {@code x}, FP32 [-1], to itself as {@code y}. The file declares wrongly
	 * that both have the same size.
	 */
	static byte[] misdeclared() {
		return model(GraphProto.newBuilder()
			.setName("misdeclared")
			.addInput(tensor("x", DataType.FLOAT, -1))
			.addNode(node("Concat", List.of("x", "x"), "y", attribute("axis", 0)))
			.addOutput(tensor("y", DataType.FLOAT, -1)));
	}

	/**
	 * Lists the positions of the values in {@code x}, FP32 [-1,4], that are not 0. It
	 * declares the list {@code y} as [-1,2], but a single position has the shape [2].
	 */
	static byte[] positions() {
		return model(GraphProto.newBuilder()
			.setName("positions")
			.addInput(tensor("x", DataType.FLOAT, -1, 4))
			.addNode(node("NonZero", List.of("x"), "columns"))
			.addNode(node("Transpose", List.of("columns"), "rows"))
			.addNode(node("Squeeze", List.of("rows"), "y"))
			.addOutput(tensor("y", DataType.INT64, -1, 2)));
	}

	/**
	 * Removes each dimension of the size 1 from {@code x}, FP32 [-1,1]. It declares the
	 * result {@code y} as [-1], but one row becomes a scalar.
	 */
	static byte[] squeezed() {
		return model(GraphProto.newBuilder()
			.setName("squeezed")
			.addInput(tensor("x", DataType.FLOAT, -1, 1))
			.addNode(node("Squeeze", List.of("x"), "y"))
			.addOutput(tensor("y", DataType.FLOAT, -1)));
	}

	/**
	 * Adds {@code b}, whose values are in a separate file, to {@code a}, FP32 [4].
	 */
	static byte[] sumWithExternalWeights(String file) {
		return model(GraphProto.newBuilder()
			.setName("elsewhere")
			.addInput(tensor("a", DataType.FLOAT, 4))
			.addInitializer(TensorProto.newBuilder()
				.setName("b")
				.setDataType(DataType.FLOAT.getNumber())
				.addDims(4)
				.setDataLocation(DataLocation.EXTERNAL)
				.addExternalData(StringStringEntryProto.newBuilder().setKey("location").setValue(file)))
			.addNode(node("Add", List.of("a", "b"), "sum"))
			.addOutput(tensor("sum", DataType.FLOAT, 4)));
	}

	/** Casts {@code x} to {@code y}, which is INT4. */
	static byte[] int4() {
		int int4 = 22;
		ValueInfoProto.Builder output = tensor("y", DataType.INT8, -1).toBuilder();
		output.getTypeBuilder().getTensorTypeBuilder().setElemType(int4);
		return proto(model(GraphProto.newBuilder()
			.setName("int4")
			.addInput(tensor("x", DataType.FLOAT, -1))
			.addNode(node("Cast", List.of("x"), "y", attribute("to", int4)))
			.addOutput(output))).toBuilder()
			.setIrVersion(10)
			.setOpsetImport(0, OperatorSetIdProto.newBuilder().setVersion(21))
			.build()
			.toByteArray();
	}

	/**
	 * Adds up all elements of {@code x}, FP32 [-1]. The sum {@code total} is a scalar.
	 */
	static byte[] sumToScalar() {
		return model(GraphProto.newBuilder()
			.setName("scalar")
			.addInput(tensor("x", DataType.FLOAT, -1))
			.addNode(node("ReduceSum", List.of("x"), "total", attribute("keepdims", 0)))
			.addOutput(tensor("total", DataType.FLOAT)));
	}

	/**
	 * Puts {@code x}, FP32 [-1], into {@code y}, which is an ONNX sequence and not a
	 * tensor.
	 */
	static byte[] sequence() {
		return sequence("SequenceConstruct");
	}

	/** Makes a sequence {@code y} of {@code x}, FP32 [-1], by an operator. */
	static byte[] sequence(String operator) {
		return sequence(operator, DataType.FLOAT);
	}

	static byte[] sequence(String operator, DataType type) {
		return model(GraphProto.newBuilder()
			.setName("sequence")
			.addInput(tensor("x", type, -1))
			.addNode(node(operator, List.of("x"), "y"))
			.addOutput(sequenceOf("y", tensor("x", type, -1))));
	}

	/**
	 * Returns a sequence of three tensors of as many zeros as {@code size}, INT64 [1].
	 */
	public static byte[] sequenceOfZeros() {
		return model(GraphProto.newBuilder()
			.setName("sequence-of-zeros")
			.addInput(tensor("size", DataType.INT64, 1))
			.addNode(node("ConstantOfShape", List.of("size"), "zeros"))
			.addNode(node("SequenceConstruct", List.of("zeros", "zeros", "zeros"), "y"))
			.addOutput(sequenceOf("y", tensor("zeros", DataType.FLOAT, -1))));
	}

	private static ValueInfoProto.Builder sequenceOf(String name, ValueInfoProto element) {
		return ValueInfoProto.newBuilder()
			.setName(name)
			.setType(TypeProto.newBuilder()
				.setSequenceType(TypeProto.Sequence.newBuilder().setElemType(element.getType())));
	}

	/** Puts {@code x}, FP32 [-1,K], out as a sequence {@code y} of maps with K keys. */
	public static byte[] maps(String... keys) {
		var labels = attribute("classlabels_strings", AttributeType.STRINGS);
		List.of(keys).forEach((key) -> labels.addStrings(ByteString.copyFromUtf8(key)));
		var map = TypeProto.Map.newBuilder()
			.setKeyType(DataType.STRING.getNumber())
			.setValueType(tensor("", DataType.FLOAT).getType());
		return model(GraphProto.newBuilder()
			.setName("maps")
			.addInput(tensor("x", DataType.FLOAT, -1, keys.length))
			.addNode(node("ZipMap", List.of("x"), "y", labels.build()).toBuilder().setDomain("ai.onnx.ml"))
			.addOutput(ValueInfoProto.newBuilder()
				.setName("y")
				.setType(TypeProto.newBuilder()
					.setSequenceType(
							TypeProto.Sequence.newBuilder().setElemType(TypeProto.newBuilder().setMapType(map))))));
	}

	/**
	 * Returns the absolute value of {@code x}, FP32 [-1], as {@code y}. Before that, it
	 * repeats a useless step {@code steps} times, INT64 []. A run can be ended between
	 * two steps.
	 */
	static byte[] slow() {
		return model(GraphProto.newBuilder()
			.setName("slow")
			.addInput(tensor("x", DataType.FLOAT, -1))
			.addInput(tensor("steps", DataType.INT64))
			.addNode(loop())
			.addOutput(tensor("y", DataType.FLOAT, -1)));
	}

	/**
	 * Like {@link #slow()}, but {@code x} is zeros in the input {@code shape}, INT64 [1].
	 */
	static byte[] slowZeros() {
		return model(GraphProto.newBuilder()
			.setName("slow-zeros")
			.addInput(tensor("shape", DataType.INT64, 1))
			.addInput(tensor("steps", DataType.INT64))
			.addNode(node("ConstantOfShape", List.of("shape"), "x"))
			.addNode(loop())
			.addOutput(tensor("y", DataType.FLOAT, -1)));
	}

	private static NodeProto loop() {
		var step = GraphProto.newBuilder()
			.setName("step")
			.addInput(tensor("count", DataType.INT64))
			.addInput(tensor("go-on", DataType.BOOL))
			.addInput(tensor("before", DataType.FLOAT, -1))
			.addNode(node("Identity", List.of("go-on"), "still-go-on"))
			.addNode(node("Abs", List.of("before"), "after"))
			.addOutput(tensor("still-go-on", DataType.BOOL))
			.addOutput(tensor("after", DataType.FLOAT, -1));
		return node("Loop", List.of("steps", "", "x"), "y", attribute("body", AttributeType.GRAPH).setG(step).build());
	}

	/**
	 * Returns the digits before and after the point of each number of {@code x}, FP32
	 * [-1], as {@code y}, BYTES [-1,2]. The model does not write the second string of a
	 * number without a point.
	 */
	static byte[] splitAtPoint() {
		var model = proto(model(GraphProto.newBuilder()
			.setName("places")
			.addInput(tensor("x", DataType.FLOAT, -1))
			.addNode(node("Cast", List.of("x"), "text", attribute("to", DataType.STRING.getNumber())))
			.addNode(node("StringSplit", List.of("text"), "y",
					attribute("delimiter", AttributeType.STRING).setS(ByteString.copyFromUtf8(".")).build())
				.toBuilder()
				.addOutput("counts"))
			.addOutput(tensor("y", DataType.STRING, -1, 2)))).toBuilder();
		model.setIrVersion(9).getOpsetImportBuilder(0).setVersion(20);
		return model.build().toByteArray();
	}

	/**
	 * Returns {@code x}, FP32 [-1], unchanged, its absolute value as {@code y}, and the
	 * constant 3 as {@code three}, FP32 [1].
	 */
	static byte[] passThrough() {
		return model(GraphProto.newBuilder()
			.setName("pass-through")
			.addInput(tensor("x", DataType.FLOAT, -1))
			.addInitializer(TensorProto.newBuilder()
				.setName("three")
				.setDataType(DataType.FLOAT.getNumber())
				.addDims(1)
				.addFloatData(3))
			.addNode(node("Abs", List.of("x"), "y"))
			.addOutput(tensor("three", DataType.FLOAT, 1))
			.addOutput(tensor("x", DataType.FLOAT, -1))
			.addOutput(tensor("y", DataType.FLOAT, -1)));
	}

	/**
	 * Normalizes each row of {@code x}, FP32 [-1,4], to {@code y}. It uses the operators
	 * to which exporters convert the layer normalization of transformers.
	 * @param operators the operator set, up to 17
	 */
	static byte[] layerNormalization(int operators) {
		ModelProto.Builder model = proto(model(GraphProto.newBuilder()
			.setName("layer-normalization")
			.addInput(tensor("x", DataType.FLOAT, -1, 4))
			.addInitializer(floats("two", 2))
			.addInitializer(floats("epsilon", 1e-5f))
			.addInitializer(floats("scale", 1, 1, 1, 1))
			.addInitializer(floats("bias", 1, 1, 1, 1))
			.addNode(mean("x", "mean"))
			.addNode(node("Sub", List.of("x", "mean"), "centered"))
			.addNode(node("Pow", List.of("centered", "two"), "squares"))
			.addNode(mean("squares", "variance"))
			.addNode(node("Add", List.of("variance", "epsilon"), "positive"))
			.addNode(node("Sqrt", List.of("positive"), "deviation"))
			.addNode(node("Div", List.of("centered", "deviation"), "normalized"))
			.addNode(node("Mul", List.of("normalized", "scale"), "scaled"))
			.addNode(node("Add", List.of("scaled", "bias"), "y"))
			.addOutput(tensor("y", DataType.FLOAT, -1, 4)))).toBuilder();
		model.getOpsetImportBuilder(0).setVersion(operators);
		return model.build().toByteArray();
	}

	/** Returns {@code x}, FP32 [-1], as {@code y}, and carries examples. */
	static byte[] echo(String examples) {
		return model(identityGraph(DataType.FLOAT, -1), examples);
	}

	/**
	 * Returns zeros, FP32, of the shape that {@code shape}, INT64 [2], gives.
	 */
	public static byte[] zeros() {
		return model(GraphProto.newBuilder()
			.setName("zeros")
			.addInput(tensor("shape", DataType.INT64, 2))
			.addNode(node("ConstantOfShape", List.of("shape"), "zeros"))
			.addOutput(tensor("zeros", DataType.FLOAT, -1, -1)));
	}

	static byte[] model(GraphProto.Builder graph) {
		return model(graph, "[]");
	}

	/** A model that carries golden examples. */
	static byte[] model(GraphProto.Builder graph, String examples) {
		// The format and the operator set are old, so that every recent runtime reads
		// them.
		return ModelProto.newBuilder()
			.setIrVersion(8)
			.addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(15))
			.addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("ai.onnx.ml").setVersion(1))
			.setProducerName("inference-server")
			.setModelVersion(1)
			.setDocString(graph.getDocString())
			.setGraph(graph)
			.addMetadataProps(StringStringEntryProto.newBuilder().setKey(Example.METADATA_KEY).setValue(examples))
			.build()
			.toByteArray();
	}

	private static ModelProto proto(byte[] model) {
		try {
			return ModelProto.parseFrom(model);
		}
		catch (InvalidProtocolBufferException ex) {
			throw new IllegalArgumentException(ex);
		}
	}

	static ValueInfoProto tensor(String name, DataType type, long... shape) {
		var dimensions = IntStream.range(0, shape.length).mapToObj((i) -> dimension(i, shape[i])).toList();
		return ValueInfoProto.newBuilder()
			.setName(name)
			.setType(TypeProto.newBuilder()
				.setTensorType(TypeProto.Tensor.newBuilder()
					.setElemType(type.getNumber())
					.setShape(TensorShapeProto.newBuilder().addAllDim(dimensions))))
			.build();
	}

	static NodeProto node(String operator, List<String> inputs, String output, AttributeProto... attributes) {
		return NodeProto.newBuilder()
			.setName(output)
			.setOpType(operator)
			.addAllInput(inputs)
			.addOutput(output)
			.addAllAttribute(List.of(attributes))
			.build();
	}

	static AttributeProto attribute(String name, long value) {
		return attribute(name, AttributeType.INT).setI(value).build();
	}

	/** An attribute without a value. */
	static AttributeProto.Builder attribute(String name, AttributeType type) {
		return AttributeProto.newBuilder().setName(name).setType(type);
	}

	private static NodeProto mean(String input, String output) {
		return node("ReduceMean", List.of(input), output, attribute("axes", AttributeType.INTS).addInts(-1).build());
	}

	private static TensorProto floats(String name, float... values) {
		TensorProto.Builder tensor = TensorProto.newBuilder().setName(name).setDataType(DataType.FLOAT.getNumber());
		if (values.length > 1) {
			tensor.addDims(values.length);
		}
		for (float value : values) {
			tensor.addFloatData(value);
		}
		return tensor.build();
	}

	private static Dimension dimension(int index, long size) {
		if (size >= 0) {
			return Dimension.newBuilder().setDimValue(size).build();
		}
		return Dimension.newBuilder().setDimParam((index == 0) ? "batch" : "size-" + index).build();
	}

}
