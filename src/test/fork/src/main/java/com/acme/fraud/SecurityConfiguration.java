package com.acme.fraud;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;

import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.security.authorization.AuthorizationDecision;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.http.SessionCreationPolicy;
import org.springframework.security.core.userdetails.UserDetailsService;
import org.springframework.security.provisioning.InMemoryUserDetailsManager;
import org.springframework.security.web.SecurityFilterChain;

/**
 * Requires a company's API key. The probes need no key, because neither the kubelet nor
 * the run that records the AOT cache has one.
 */
@Configuration
class SecurityConfiguration {

	@Bean
	SecurityFilterChain securityFilterChain(HttpSecurity http, @Value("${acme.api-key:}") String key) throws Exception {
		return http.csrf((csrf) -> csrf.disable())
			.headers((headers) -> headers.disable())
			.sessionManagement((sessions) -> sessions.sessionCreationPolicy(SessionCreationPolicy.STATELESS))
			.authorizeHttpRequests((requests) -> requests
				.requestMatchers("/startupz", "/livez", "/readyz", "/actuator/health/**")
				.permitAll()
				.anyRequest()
				.access((_, context) -> new AuthorizationDecision(
						key.isEmpty() || isKey(key, context.getRequest().getHeader("X-Api-Key")))))
			.exceptionHandling((exceptions) -> exceptions.authenticationEntryPoint((_, response, _) -> response
				.sendError(401, "The header X-Api-Key is missing or wrong.")))
			.build();
	}

	private static boolean isKey(String key, @Nullable String given) {
		return given != null && MessageDigest.isEqual(key.getBytes(StandardCharsets.UTF_8),
				given.getBytes(StandardCharsets.UTF_8));
	}

	/** No users. Without this bean, Spring Boot creates a user and logs its password. */
	@Bean
	UserDetailsService users() {
		return new InMemoryUserDetailsManager();
	}

}
