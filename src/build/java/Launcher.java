import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Puts a program in front of Java's own that needs no C library: it becomes Java, or says
 * what the base lacks, where else the kernel says of a file that is there that it is not.
 * <p>
 * Linux on amd64 only. The layout is that of the ELF-64 object file format, the system
 * calls those of the System V ABI's AMD64 supplement.
 */
final class Launcher {

	private static final String MESSAGE = "Java cannot start, because this base image has no glibc (Alpine has musl in its"
			+ " place): build the image on another base with -Djib.from.image.\n";

	// What the name of Java's own launcher has more; eight bytes, zeros included
	private static final String SUFFIX = "-glibc\0\0";

	// In assembly, each with its machine code: execve of the path that this was started by
	// and SUFFIX, with its own arguments and environment
	private static final String BECOME_JAVA = """
			48 8b 04 24              mov rax, [rsp]              the number of arguments
			48 8d 54 c4 10           lea rdx, [rsp + 8*rax + 16] the environment, behind them
			48 8d 5c 24 08           lea rbx, [rsp + 8]          the arguments
			48 89 d7                 mov rdi, rdx
			48 8b 07           next: mov rax, [rdi]
			48 83 c7 08              add rdi, 8
			48 85 c0                 test rax, rax
			75 f4                    jnz next
			48 83 3f 1f        aux:  cmp qword [rdi], 31         AT_EXECFN, behind the environment
			74 06                    je found
			48 83 c7 10              add rdi, 16
			eb f4                    jmp aux
			48 8b 77 08       found: mov rsi, [rdi + 8]
			48 81 ec 00 20 00 00     sub rsp, 8192               more than the longest path
			48 89 e7                 mov rdi, rsp
			ac                 copy: lodsb
			aa                       stosb
			84 c0                    test al, al
			75 fa                    jnz copy
			48 b8 %s                 mov rax, SUFFIX
			48 89 47 ff              mov [rdi - 1], rax
			48 89 e7                 mov rdi, rsp
			48 89 de                 mov rsi, rbx
			b8 3b 00 00 00           mov eax, 59                 execve
			0f 05                    syscall
			""";

	private static final String SAY = """
			bf 02 00 00 00           mov edi, 2                  stderr
			be %s                    mov esi, MESSAGE
			ba %s                    mov edx, its length
			b8 01 00 00 00           mov eax, 1                  write
			0f 05                    syscall
			bf 7f 00 00 00           mov edi, 127                a shell's, for a command that is not there
			b8 3c 00 00 00           mov eax, 60                 exit
			0f 05                    syscall
			""";

	private static final Pattern MACHINE_CODE = Pattern.compile("^(?:[0-9a-f]{2} )+", Pattern.MULTILINE);

	// In bytes: the file's header, and one that says of a part what to do with it
	private static final int HEADER = 64;

	private static final int PART = 56;

	private static final int ADDRESS = 0x400000;

	private Launcher() {
	}

	/**
	 * Adds itself to a runtime, wherever that is.
	 * @param runtime as jlink left it
	 */
	static void addTo(Path runtime) throws IOException {
		Path launcher = runtime.resolve("bin/java");
		Files.move(launcher, launcher.resolveSibling("java" + SUFFIX.trim()));
		Files.write(launcher, program());
		if (!launcher.toFile().setExecutable(true, false)) {
			throw new IOException(launcher + " cannot be made executable");
		}
	}

	/** What it is, byte for byte. */
	static byte[] program() {
		byte[] message = MESSAGE.getBytes(StandardCharsets.US_ASCII);
		int start = HEADER + 2 * PART;
		byte[] instructions = instructions(ADDRESS + start, message.length);
		int size = start + message.length + instructions.length;
		ByteBuffer file = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
		// 64 bits, little-endian, version 1; then executable, x86-64, version 1
		file.put(new byte[] { 0x7f, 'E', 'L', 'F', 2, 1, 1 }).position(16);
		file.putShort((short) 2).putShort((short) 62).putInt(1);
		file.putLong(ADDRESS + start + message.length).putLong(HEADER).putLong(0).putInt(0);
		file.putShort((short) HEADER).putShort((short) PART).putShort((short) 2).position(HEADER);
		// All of the file, to be read and executed
		file.putInt(1).putInt(4 | 1).putLong(0).putLong(ADDRESS).putLong(ADDRESS);
		file.putLong(size).putLong(size).putLong(0x1000);
		// A stack that is not to be executed
		file.putInt(0x6474e551).putInt(4 | 2).position(start);
		return file.put(message).put(instructions).array();
	}

	private static byte[] instructions(int message, int length) {
		String assembly = BECOME_JAVA.formatted(hex(SUFFIX.getBytes(StandardCharsets.US_ASCII)))
				+ SAY.formatted(hex(message), hex(length));
		String code = MACHINE_CODE.matcher(assembly)
			.results()
			.map(MatchResult::group)
			.collect(Collectors.joining())
			.replace(" ", "");
		return HexFormat.of().parseHex(code);
	}

	private static String hex(int number) {
		return hex(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(number).array());
	}

	private static String hex(byte[] bytes) {
		return HexFormat.ofDelimiter(" ").formatHex(bytes);
	}

}
