/**
 * Owns the model's life from loading to closing, and publishes it as one immutable
 * snapshot. Probes, protocols, metrics and the log all read that snapshot, so none can
 * disagree with another, and reading it takes no lock.
 */
@NullMarked
package inference.lifecycle;

import org.jspecify.annotations.NullMarked;
