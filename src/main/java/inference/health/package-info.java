/**
 * What each probe says of the lifecycle's state: one table, read by Actuator's health
 * groups and by the protocols alike. No probe asks anything else, above all not the load.
 */
@NullMarked
package inference.health;

import org.jspecify.annotations.NullMarked;
