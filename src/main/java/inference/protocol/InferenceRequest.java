package inference.protocol;

import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import inference.model.Tensor;
import inference.model.TensorSpec;

/**
 * What a client asks for, whatever dialect it spoke.
 *
 * @param form how it asked, and is to be answered
 * @param id its own name for the request, sent back, or {@code null}
 * @param inputs exactly the signature's inputs
 * @param outputs what it wants to have, in its order
 */
record InferenceRequest(Form form, @Nullable String id, Map<String, Tensor> inputs, List<TensorSpec> outputs) {
}
