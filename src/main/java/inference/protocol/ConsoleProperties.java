package inference.protocol;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The page for browsers at {@code GET /}.
 *
 * @param enabled whether there is one; if not, browsers get the JSON summary, too
 */
@ConfigurationProperties("inference.console")
record ConsoleProperties(@DefaultValue("true") boolean enabled) {
}
