/**
 * Converts bytes to tensors and back, for every protocol. The model's signature drives
 * the reading of requests and the writing of answers, so no protocol needs classes for a
 * certain model. The package knows neither Spring nor HTTP.
 */
@NullMarked
package inference.codec;

import org.jspecify.annotations.NullMarked;
