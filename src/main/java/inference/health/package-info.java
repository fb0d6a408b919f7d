/**
 * Defines the result of each probe in each state of the lifecycle. Actuator's health
 * groups, HTTP and gRPC read the same results. A probe depends on the state only, and in
 * particular not on the traffic.
 */
@NullMarked
package inference.health;

import org.jspecify.annotations.NullMarked;
