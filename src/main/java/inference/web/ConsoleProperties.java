package inference.web;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The page for browsers at {@code GET /}.
 *
 * @param enabled whether there is one; if not, browsers get the JSON summary, too
 */
@ConfigurationProperties(prefix = "inference.console", ignoreUnknownFields = false)
record ConsoleProperties(@DefaultValue("true") boolean enabled) {
}
