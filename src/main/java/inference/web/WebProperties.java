package inference.web;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * The limits of requests, and whether there is a console.
 *
 * @param request the limits of requests
 * @param console the page for browsers at {@code GET /}
 */
@ConfigurationProperties("inference")
record WebProperties(@DefaultValue Request request, @DefaultValue Console console) {

	/**
	 * The limits of requests.
	 *
	 * @param maxSize the largest body; a larger one gets 413 and is not read
	 */
	record Request(@DefaultValue("16MB") DataSize maxSize) {

		Request {
			if (maxSize.toBytes() < 1 || maxSize.toBytes() > Integer.MAX_VALUE / 4) {
				throw new IllegalArgumentException("max-size must be between 1B and 511MB");
			}
		}

	}

	/**
	 * The page for browsers at {@code GET /}.
	 *
	 * @param enabled whether there is one; if not, browsers get the JSON summary, too
	 */
	record Console(@DefaultValue("true") boolean enabled) {
	}

}
