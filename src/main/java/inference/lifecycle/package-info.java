/**
 * Owns the model's life from loading to closing, and publishes its state as one immutable
 * snapshot. Probes, protocols, metrics and the log all read that snapshot, so they cannot
 * disagree. Reading it takes no lock.
 */
@NullMarked
package inference.lifecycle;

import org.jspecify.annotations.NullMarked;
