/**
 * Converts the bodies of requests to tensors, and tensors to the bodies of answers. The
 * model's signature controls both directions, so no protocol needs classes for a specific
 * model. The package uses neither Spring nor the Servlet API.
 */
@NullMarked
package inference.codec;

import org.jspecify.annotations.NullMarked;
