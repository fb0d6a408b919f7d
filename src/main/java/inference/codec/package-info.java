/**
 * Bytes to tensors and back, for every protocol. A request is read straight into tensors
 * by the model's signature, and an answer is encoded straight from them while it is
 * written, so no protocol needs a class for any model. The package knows neither Spring
 * nor HTTP.
 */
@NullMarked
package inference.codec;

import org.jspecify.annotations.NullMarked;
