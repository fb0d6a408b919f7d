package inference;

import java.util.Collection;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.boot.context.properties.ConfigurationPropertiesBindHandlerAdvisor;
import org.springframework.boot.context.properties.bind.AbstractBindHandler;
import org.springframework.boot.context.properties.bind.BindContext;
import org.springframework.boot.context.properties.bind.BindHandler;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.UnboundConfigurationPropertiesException;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.core.env.Environment;
import org.springframework.core.env.SystemEnvironmentPropertySource;
import org.springframework.stereotype.Component;

/**
 * Refuses to start with a property that nothing reads, such as a misspelt one. An
 * environment variable is warned about only: platforms put variables there, too.
 */
@Component
class UnknownProperties implements ConfigurationPropertiesBindHandlerAdvisor, SmartInitializingSingleton {

	private static final Logger logger = LoggerFactory.getLogger(UnknownProperties.class);

	private static final ConfigurationPropertyName OURS = ConfigurationPropertyName.of("inference");

	private final Set<String> known = ConcurrentHashMap.newKeySet();

	private final Environment environment;

	UnknownProperties(Environment environment) {
		this.environment = environment;
	}

	@Override
	public BindHandler apply(BindHandler handler) {
		return new AbstractBindHandler(handler) {
			@Override
			public <T> @Nullable Bindable<T> onStart(ConfigurationPropertyName name, Bindable<T> target,
					BindContext context) {
				UnknownProperties.this.known.add(uniform(name));
				// The elements of a list that another source overrides are not asked for.
				if (Collection.class.isAssignableFrom(target.getType().toClass())) {
					UnknownProperties.this.known.add(uniform(name.append("[0]")));
				}
				return super.onStart(name, target, context);
			}
		};
	}

	@Override
	public void afterSingletonsInstantiated() {
		Set<ConfigurationProperty> unknown = new TreeSet<>();
		for (ConfigurationPropertySource source : ConfigurationPropertySources.get(this.environment)) {
			if (source instanceof IterableConfigurationPropertySource names) {
				Stream<ConfigurationProperty> properties = names.filter(this::isUnknown)
					.stream()
					.map(names::getConfigurationProperty);
				if (source.getUnderlyingSource() instanceof SystemEnvironmentPropertySource) {
					properties.forEach((variable) -> logger.warn("Nothing reads {}", variable.getOrigin()));
				}
				else {
					properties.forEach(unknown::add);
				}
			}
		}
		if (!unknown.isEmpty()) {
			throw new UnboundConfigurationPropertiesException(unknown);
		}
	}

	private boolean isUnknown(ConfigurationPropertyName name) {
		return OURS.isAncestorOf(name) && !this.known.contains(uniform(name));
	}

	// An environment variable has lost its dashes, or has an underscore for each
	private static String uniform(ConfigurationPropertyName name) {
		return name.toString().replaceAll("[.-]", "").replaceAll("\\[[0-9]+]", "[0]").toLowerCase(Locale.ROOT);
	}

}
