package inference.web;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.apache.coyote.Processor;
import org.apache.coyote.http11.Http11NioProtocol;
import org.apache.coyote.http11.Http11Processor;
import org.apache.tomcat.util.buf.MessageBytes;

/**
 * Tomcat's protocol, which also accepts host names with an underscore. Tomcat refuses
 * them, but services in Docker Compose and upstreams in nginx have such names.
 */
public final class HttpProtocol extends Http11NioProtocol {

	private static final Pattern UNDERSCORED = Pattern.compile("(?=[^:]*_)([A-Za-z0-9._-]+)(?::([0-9]{1,5}))?");

	@Override
	protected Processor createProcessor() {
		return new Http11Processor(this, getAdapter()) {
			@Override
			protected void parseHost(MessageBytes host) {
				Matcher name = UNDERSCORED.matcher((host != null) ? host.toString() : "");
				if (name.matches()) {
					this.request.serverName().setString(name.group(1));
					this.request.setServerPort((name.group(2) != null) ? Integer.parseInt(name.group(2)) : -1);
				}
				else {
					super.parseHost(host);
				}
			}
		};
	}

}
