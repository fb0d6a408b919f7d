/**
 * Classes as a fork writes them: a model, and metrics for EAS. To use one, copy it to
 * {@code inference.model} in {@code src/main/java}, and what it needs from the pom's test
 * scope to the compile scope.
 */
@NullMarked
package examples;

import org.jspecify.annotations.NullMarked;
