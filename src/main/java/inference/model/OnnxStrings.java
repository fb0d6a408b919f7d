package inference.model;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.Arrays;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

/**
 * Reads and writes tensors of strings by ONNX Runtime's C API, byte for byte. The Java
 * API passes strings in the JVM's modified UTF-8, which changes characters outside
 * Unicode's basic plane, such as emoji, and bytes that are not UTF-8.
 */
@SuppressWarnings("restricted")
final class OnnxStrings {

	// The positions of functions in the C API's table.
	private static final int FILL_STRING_TENSOR = 52;

	private static final int GET_STRING_TENSOR_DATA_LENGTH = 53;

	private static final int GET_STRING_TENSOR_CONTENT = 54;

	private static final MethodHandle FILL_FUNCTION = OnnxNative.findFunction(FILL_STRING_TENSOR, ADDRESS, ADDRESS,
			ADDRESS, JAVA_LONG);

	private static final MethodHandle LENGTH_FUNCTION = OnnxNative.findFunction(GET_STRING_TENSOR_DATA_LENGTH, ADDRESS,
			ADDRESS, ADDRESS);

	private static final MethodHandle CONTENT_FUNCTION = OnnxNative.findFunction(GET_STRING_TENSOR_CONTENT, ADDRESS,
			ADDRESS, ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG);

	private static final VarHandle TENSOR_POINTER_FIELD = OnnxNative.pointerField(OnnxTensorLike.class);

	private OnnxStrings() {
	}

	/**
	 * A tensor of strings for ONNX Runtime to read.
	 * @param name the input, for the message
	 * @param memory holds a copy of the texts until the tensor is closed
	 * @throws IllegalArgumentException if a string has a NUL, which ends a string in C
	 */
	static OnnxTensor toOnnx(OrtEnvironment environment, String name, Tensor tensor, Arena memory) throws OrtException {
		ByteBuffer contents = tensor.contents();
		int count = Math.toIntExact(tensor.shape().elementCount());
		MemorySegment texts = memory.allocate(contents.remaining());
		MemorySegment pointers = memory.allocate(ADDRESS, count);
		long end = 0;
		for (int i = 0; i < count; i++) {
			byte[] bytes = new byte[contents.getInt()];
			contents.get(bytes);
			for (int at = 0; at < bytes.length; at++) {
				if (bytes[at] == 0) {
					throw new IllegalArgumentException(
							"Input '%s' has the character U+0000 in text %d, after %d bytes. ONNX Runtime's texts end there."
								.formatted(name, i, at));
				}
			}
			pointers.setAtIndex(ADDRESS, i, texts.asSlice(end));
			MemorySegment.copy(bytes, 0, texts, ValueLayout.JAVA_BYTE, end, bytes.length);
			end += bytes.length + 1;
		}
		String[] empty = new String[count];
		Arrays.fill(empty, "");
		OnnxTensor onnx = OnnxTensor.createTensor(environment, empty, tensor.shape().dimensions());
		try {
			OnnxNative
				.requireOk((MemorySegment) FILL_FUNCTION.invokeExact(nativePointer(onnx), pointers, (long) count));
			return onnx;
		}
		catch (Throwable ex) {
			onnx.close();
			throw new IllegalStateException("ONNX Runtime could not read input '%s'".formatted(name), ex);
		}
	}

	/** Copies a tensor of strings to the Java heap. */
	static Tensor fromOnnx(OnnxTensor onnx, Shape shape) {
		return fromOnnx(nativePointer(onnx), shape);
	}

	static Tensor fromOnnx(MemorySegment onnx, Shape shape) {
		int count = Math.toIntExact(shape.elementCount());
		try (Arena memory = Arena.ofConfined()) {
			MemorySegment length = memory.allocate(JAVA_LONG);
			OnnxNative.requireOk((MemorySegment) LENGTH_FUNCTION.invokeExact(onnx, length));
			long bytes = length.get(JAVA_LONG, 0);
			MemorySegment texts = memory.allocate(bytes);
			MemorySegment starts = memory.allocate(JAVA_LONG, count);
			OnnxNative
				.requireOk((MemorySegment) CONTENT_FUNCTION.invokeExact(onnx, texts, bytes, starts, (long) count));
			ByteBuffer contents = Tensor.allocate(Math.toIntExact(bytes + (long) Integer.BYTES * count));
			for (int i = 0; i < count; i++) {
				long start = starts.getAtIndex(JAVA_LONG, i);
				long end = (i + 1 < count) ? starts.getAtIndex(JAVA_LONG, i + 1) : bytes;
				contents.putInt((int) (end - start)).put(texts.asSlice(start, end - start).asByteBuffer());
			}
			return Tensor.of(DataType.BYTES, shape, contents.flip());
		}
		catch (Throwable ex) {
			throw new IllegalStateException("ONNX Runtime could not give its texts", ex);
		}
	}

	private static MemorySegment nativePointer(OnnxTensor tensor) {
		return MemorySegment.ofAddress((long) TENSOR_POINTER_FIELD.get(tensor));
	}

}
