package inference.protocol;

import java.io.ByteArrayOutputStream;
import java.io.IOException;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class JsonBodyTests {

	private final JsonBody body = new JsonBody();

	@Test
	void isItsPiecesInTheirOrder() throws IOException {
		this.body.write('[');
		this.body.add(new byte[] { '1', ',' });
		this.body.write(new byte[] { ' ', '2', ' ' }, 1, 1);
		this.body.add(new byte[] { ']' });
		ByteArrayOutputStream sent = new ByteArrayOutputStream();
		this.body.writeTo(sent);
		assertThat(sent).hasToString("[1,2]");
		assertThat(this.body.toByteArray()).asString().isEqualTo("[1,2]");
		assertThat(this.body.size()).isEqualTo(5);
	}

	@Test
	void doesNotChangeWithTheMemoryItWasWrittenFrom() {
		byte[] memory = { '1', '2' };
		this.body.write(memory, 0, 2);
		memory[0] = '0';
		assertThat(this.body.toByteArray()).asString().isEqualTo("12");
	}

	@Test
	void isNoLongerThanItsLengthCanBeStated() {
		byte[] piece = new byte[1 << 24];
		for (int i = 0; i < 127; i++) {
			this.body.add(piece);
		}
		assertThatExceptionOfType(RequestException.class).isThrownBy(() -> this.body.add(piece))
			.withMessageContaining("longer than 2 GB");
	}

}
