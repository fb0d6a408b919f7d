package inference.admission;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * The limits of requests.
 *
 * @param maxSize the largest body, as it is sent and after decompression; a larger one
 * gets 413
 */
@ConfigurationProperties(prefix = "inference.request", ignoreUnknownFields = false)
public record RequestProperties(@DefaultValue("16MB") DataSize maxSize) {

	public RequestProperties {
		if (maxSize.toBytes() < 1 || maxSize.toBytes() > Integer.MAX_VALUE / 4) {
			throw new IllegalArgumentException("max-size must be between 1B and 511MB");
		}
	}

}
