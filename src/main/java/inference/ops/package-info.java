/**
 * What an operator runs beside the server, inside its container. Of the JDK alone, for a
 * probe starts a JVM every few seconds and must cost next to nothing.
 */
@NullMarked
package inference.ops;

import org.jspecify.annotations.NullMarked;
