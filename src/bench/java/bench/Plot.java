package bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A picture of bars, panel above panel: how many requests per second, and how long one in
 * a hundred takes. A thin line goes from the least to the most.
 */
final class Plot {

	private static final int LEFT = 260;

	private static final int BAR = 300;

	private static final int GAP = 110;

	private static final int ROW = 24;

	private static final int WIDTH = LEFT + 2 * (BAR + GAP);

	private final List<Panel> panels = new ArrayList<>();

	void panel(String title) {
		this.panels.add(new Panel(title, new ArrayList<>()));
	}

	/** Adds a bar to the last panel. */
	void bar(String title, Spread rate, Spread p99) {
		this.panels.getLast().bars().add(new Bar(title, rate, p99));
	}

	String svg() {
		StringBuilder body = new StringBuilder();
		int y = ROW;
		for (Panel panel : this.panels) {
			text(body, 10, y, "start", "bold", panel.title());
			text(body, LEFT, y + ROW, "start", "normal", "requests/s, more is better");
			text(body, LEFT + BAR + GAP, y + ROW, "start", "normal", "p99 in ms, less is better");
			y += 2 * ROW;
			double mostRate = panel.bars().stream().mapToDouble((bar) -> bar.rate().most()).max().orElse(1);
			double mostTime = panel.bars().stream().mapToDouble((bar) -> bar.p99().most()).max().orElse(1);
			for (Bar bar : panel.bars()) {
				text(body, LEFT - 8, y, "end", "normal", bar.title());
				draw(body, LEFT, y, bar.rate(), mostRate, "#2a6f97");
				draw(body, LEFT + BAR + GAP, y, bar.p99(), mostTime, "#bc6c25");
				y += ROW;
			}
			y += ROW;
		}
		return """
				<svg xmlns="http://www.w3.org/2000/svg" width="%1$d" height="%2$d" viewBox="0 0 %1$d %2$d" \
				font-family="sans-serif" font-size="13">
				<rect width="100%%" height="100%%" fill="white"/>
				%3$s</svg>
				""".formatted(WIDTH, y, body);
	}

	private static void draw(StringBuilder body, int x, int y, Spread spread, double most, String colour) {
		double scale = BAR / most;
		body.append(String.format(Locale.ROOT, "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>%n",
				x, y - ROW / 2 - 2, spread.median() * scale, ROW - 8, colour));
		body.append(
				String.format(Locale.ROOT, "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%2$d\" stroke=\"black\"/>%n",
						x + spread.least() * scale, y - ROW / 4, x + spread.most() * scale));
		text(body, (int) (x + spread.most() * scale) + 6, y, "start", "normal", Spread.format(spread.median()));
	}

	private static void text(StringBuilder body, int x, int y, String anchor, String weight, String text) {
		body.append("<text x=\"%d\" y=\"%d\" text-anchor=\"%s\" font-weight=\"%s\">%s</text>%n".formatted(x, y, anchor,
				weight, text));
	}

	/** Bars that are compared. */
	private record Panel(String title, List<Bar> bars) {
	}

	/** Two bars side by side. */
	private record Bar(String title, Spread rate, Spread p99) {
	}

}
