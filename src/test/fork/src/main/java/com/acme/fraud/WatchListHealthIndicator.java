package com.acme.fraud;

import java.nio.file.Files;
import java.nio.file.Path;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.stereotype.Component;

/**
 * A company's own health contributor. It is in {@code /actuator/health} and in no probe.
 */
@Component
class WatchListHealthIndicator implements HealthIndicator {

	private final Path file;

	WatchListHealthIndicator(@Value("${acme.watch-list:.}") Path file) {
		this.file = file;
	}

	@Override
	public Health health() {
		Health.Builder health = Files.exists(this.file) ? Health.up() : Health.down();
		return health.withDetail("file", this.file.toString()).build();
	}

}
