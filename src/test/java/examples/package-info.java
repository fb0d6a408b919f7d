/**
 * Models as a fork writes them. To serve one, copy it to {@code inference.model} in
 * {@code src/main/java}, and what it needs from the pom's test scope to the compile
 * scope.
 */
@NullMarked
package examples;

import org.jspecify.annotations.NullMarked;
