/**
 * Bytes to tensors and back. A request is read straight into tensors by the model's
 * signature, and the answer is written straight from them, so no dialect needs a class
 * for any model. One servlet serves them all: what a web framework does per request costs
 * more than a small model.
 */
@NullMarked
package inference.protocol;

import org.jspecify.annotations.NullMarked;
