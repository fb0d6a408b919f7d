/**
 * Decides before any work is done whether a call may run, and how long it may wait: so
 * many at once, so many waiting, the rest refused while refusing is still cheap; and runs
 * together what waits together, where that is worth it. Spring's own concurrency limit
 * knows neither a bounded wait nor why it refused.
 */
@NullMarked
package inference.admission;

import org.jspecify.annotations.NullMarked;
