package inference.protocol;

import java.io.OutputStream;

import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.StreamWriteFeature;
import tools.jackson.core.json.JsonFactory;

/**
 * The JSON dialect of every body: strict, and bounded before anything is allocated. How
 * long a body may be is checked before it gets here.
 */
final class Json {

	// Deeper than any tensor ONNX Runtime's Java API takes, with the objects around it.
	private static final int NESTING = 16;

	private static final JsonFactory FACTORY = JsonFactory.builder()
		.streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(NESTING).maxNameLength(1000).build())
		.enable(StreamReadFeature.USE_FAST_DOUBLE_PARSER)
		.enable(StreamWriteFeature.USE_FAST_DOUBLE_WRITER)
		.build();

	private Json() {
	}

	static JsonParser parser(byte[] body, int offset) {
		return FACTORY.createParser(ObjectReadContext.empty(), body, offset, body.length - offset);
	}

	static JsonGenerator generator(OutputStream stream) {
		return FACTORY.createGenerator(ObjectWriteContext.empty(), stream);
	}

}
