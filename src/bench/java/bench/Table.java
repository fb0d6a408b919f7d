package bench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A table in Markdown.
 */
final class Table {

	private final List<String> lines = new ArrayList<>();

	Table(String... columns) {
		row((Object[]) columns);
		row(Collections.nCopies(columns.length, "---").toArray());
	}

	void row(Object... cells) {
		List<String> texts = new ArrayList<>();
		for (Object cell : cells) {
			texts.add(cell.toString());
		}
		this.lines.add("| " + String.join(" | ", texts) + " |");
	}

	@Override
	public String toString() {
		return String.join("\n", this.lines) + "\n";
	}

}
