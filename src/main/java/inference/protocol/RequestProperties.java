package inference.protocol;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * What a request may be.
 *
 * @param maxSize the largest body; a larger one is refused with 413, unread
 */
@ConfigurationProperties("inference.request")
public record RequestProperties(@DefaultValue("16MB") DataSize maxSize) {

	public RequestProperties {
		if (maxSize.toBytes() < 1 || maxSize.toBytes() > Integer.MAX_VALUE / 4) {
			throw new IllegalArgumentException("max-size must be between 1B and 511MB");
		}
	}

}
