package inference.admission;

import java.lang.management.ManagementFactory;

import com.sun.management.UnixOperatingSystemMXBean;

/**
 * Computes how many connections a port may have. Each connection takes a part of the heap
 * and a file descriptor, even if its client sends nothing.
 */
public final class ConnectionCapacity {

	private ConnectionCapacity() {
	}

	/**
	 * The most connections that a port may have.
	 * @param configuredMax the limit if there are enough memory and file descriptors
	 * @param heapBytesPerConnection one connection is allowed for this much of the heap
	 * @param fileDescriptorShare the share of the process's file descriptors that the
	 * connections may take, below 1
	 */
	public static int maxConnections(int configuredMax, int heapBytesPerConnection, double fileDescriptorShare) {
		long maxConnections = Math.min(configuredMax, Runtime.getRuntime().maxMemory() / heapBytesPerConnection);
		if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system) {
			maxConnections = Math.min(maxConnections,
					(long) (system.getMaxFileDescriptorCount() * fileDescriptorShare));
		}
		return (int) maxConnections;
	}

}
