/**
 * The benchmark: starts servers on free ports of the loopback interface, one after
 * another, puts them under load, and writes down what they made of it.
 */
@NullMarked
package bench;

import org.jspecify.annotations.NullMarked;
