/**
 * The program that an operator runs inside the server's container. It uses the JDK alone,
 * because the exec probe starts a JVM every few seconds and must be cheap.
 */
@NullMarked
package inference.ops;

import org.jspecify.annotations.NullMarked;
