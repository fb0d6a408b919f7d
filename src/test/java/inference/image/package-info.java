/**
 * The image, run as the platform runs it: a container with its limits, and a kubelet that
 * asks what service.json says.
 */
@NullMarked
package inference.image;

import org.jspecify.annotations.NullMarked;
