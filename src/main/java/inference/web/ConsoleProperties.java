package inference.web;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The console page at {@code GET /}.
 *
 * @param enabled whether browsers get the page; if not, they get the JSON summary
 */
@ConfigurationProperties(prefix = "inference.console", ignoreUnknownFields = false)
record ConsoleProperties(@DefaultValue("true") boolean enabled) {
}
