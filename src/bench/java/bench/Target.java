package bench;

/**
 * Where a load goes, and what it consists of.
 */
record Target(int port, Contender contender, Workload workload) {

	Request request() {
		return this.contender.request(this.workload);
	}

}
