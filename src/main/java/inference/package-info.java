@NullMarked
package inference;

import org.jspecify.annotations.NullMarked;
