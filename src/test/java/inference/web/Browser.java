package inference.web;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.logging.Level;
import java.util.stream.Stream;

import org.openqa.selenium.By;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;

import inference.Prerequisite;
import inference.Server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * A Chromium without a window that shows the console.
 */
final class Browser implements AutoCloseable {

	private final ChromeDriver driver;

	Browser() {
		LoggingPreferences logs = new LoggingPreferences();
		logs.enable(LogType.BROWSER, Level.ALL);
		ChromeOptions options = new ChromeOptions();
		options.setBinary(findProgram("chromium").orElseThrow().toFile());
		options.addArguments("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage");
		options.setCapability(ChromeOptions.LOGGING_PREFS, logs);
		// With this path, Selenium does not download a driver.
		ChromeDriverService service = new ChromeDriverService.Builder()
			.usingDriverExecutable(findProgram("chromedriver").orElseThrow().toFile())
			.usingAnyFreePort()
			.build();
		this.driver = new ChromeDriver(service, options);
	}

	static boolean isInstalled() {
		boolean isInstalled = findProgram("chromium").isPresent() && findProgram("chromedriver").isPresent();
		return Prerequisite.isMet(isInstalled ? null
				: "The console is not tested in a browser, because there is no chromium or no chromedriver: "
						+ "install Debian's chromium and chromium-driver");
	}

	void open(Server server, String path) {
		this.driver.get("http://localhost:%d%s".formatted(server.port(), path));
	}

	/** The visible text of an element. */
	String text(String id) {
		return element(id).getText();
	}

	/** Waits until the text of an element contains all parts. */
	void awaitText(String id, String... parts) {
		await().pollDelay(Duration.ZERO).untilAsserted(() -> assertThat(text(id)).contains(parts));
	}

	String value(String id) {
		return Objects.requireNonNull(element(id).getDomProperty("value"));
	}

	void fill(String id, String value) {
		element(id).clear();
		element(id).sendKeys(value);
	}

	void press(String id, CharSequence... keys) {
		element(id).sendKeys(keys);
	}

	void click(String id) {
		element(id).click();
	}

	List<WebElement> find(String selector) {
		return this.driver.findElements(By.cssSelector(selector));
	}

	/** Runs a script and returns its result. */
	Object runScript(String script) {
		return Objects.requireNonNull(this.driver.executeScript(script));
	}

	/** Takes the warnings and errors that the browser has logged since the last call. */
	List<String> takeWarnings() {
		return this.driver.manage()
			.logs()
			.get(LogType.BROWSER)
			.getAll()
			.stream()
			.filter((entry) -> entry.getLevel().intValue() >= Level.WARNING.intValue())
			.map(LogEntry::getMessage)
			.toList();
	}

	void setColorScheme(String scheme) {
		this.driver.executeCdpCommand("Emulation.setEmulatedMedia",
				Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", scheme))));
	}

	void resize(int width, long height) {
		this.driver.executeCdpCommand("Emulation.setDeviceMetricsOverride", Map.of("width", width, "height", height,
				"deviceScaleFactor", (width < 600) ? 2 : 1, "mobile", width < 600));
	}

	void saveScreenshot(Path file) throws IOException {
		Object image = this.driver.executeCdpCommand("Page.captureScreenshot", Map.of("format", "png")).get("data");
		Files.createDirectories(file.getParent());
		Files.write(file, Base64.getDecoder().decode(String.valueOf(image)));
	}

	@Override
	public void close() {
		this.driver.quit();
	}

	private WebElement element(String id) {
		return this.driver.findElement(By.id(id));
	}

	private static Optional<Path> findProgram(String program) {
		return Stream.of(System.getenv("PATH").split(":"))
			.map((directory) -> Path.of(directory, program))
			.filter(Files::isExecutable)
			.findFirst();
	}

}
