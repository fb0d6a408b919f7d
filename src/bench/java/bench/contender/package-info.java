/**
 * Services that the benchmark compares with the server. They do not use its code.
 */
@NullMarked
package bench.contender;

import org.jspecify.annotations.NullMarked;
