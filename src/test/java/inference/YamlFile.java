package inference;

import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.StreamSupport;

import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A file of YAML, read as the JSON that it stands for.
 */
public final class YamlFile {

	private YamlFile() {
	}

	public static List<JsonNode> documents(Path file) {
		try (Reader reader = Files.newBufferedReader(file)) {
			Iterable<Object> documents = new Yaml(new SafeConstructor(new LoaderOptions())).loadAll(reader);
			return StreamSupport.stream(documents.spliterator(), false)
				.map((document) -> JsonMapper.shared().<JsonNode>valueToTree(document))
				.toList();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

}
