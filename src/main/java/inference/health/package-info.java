/**
 * The result of each probe in each state of the lifecycle. Actuator's health groups and
 * the protocols read the same table. A probe depends on nothing else, least of all on the
 * load.
 */
@NullMarked
package inference.health;

import org.jspecify.annotations.NullMarked;
