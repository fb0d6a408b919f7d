/**
 * Services that the server is compared with. They know nothing of it.
 */
@NullMarked
package bench.contender;

import org.jspecify.annotations.NullMarked;
