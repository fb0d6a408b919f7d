/**
 * The exec probe, a program that the kubelet runs inside the server's container. It uses
 * the JDK alone, because it is started every few seconds and its start must be cheap.
 */
@NullMarked
package inference.ops;

import org.jspecify.annotations.NullMarked;
