# Reads the samples of all rounds, and prints a Markdown table of their medians.
import sys
from statistics import median

samples = {}
for line in sys.stdin:
    contender, workload, connections, *figures = line.split()
    samples.setdefault((workload, int(connections), contender), []).append([float(figure) for figure in figures])

if '--probes' in sys.argv:
    header = ['contender', 'workload', 'connections', 'probes', 'not 200', 'p99 (ms)', 'max (ms)']
else:
    header = ['contender', 'workload', 'connections', '2xx per second', 'p50 (ms)', 'p99 (ms)', 'not 2xx (%)']
    if any(contender == 'baseline' for _, _, contender in samples):
        header.append('of baseline')

print('|', ' | '.join(header), '|')
print('|---|---|' + '--:|' * (len(header) - 2))
for (workload, connections, contender), rounds in sorted(samples.items(), key=lambda item: item[0][:2]):
    columns = list(zip(*rounds))
    medians = [median(column) for column in columns]
    if '--probes' in sys.argv:
        # The maximum of all rounds, and medians of the rest
        cells = [f'{medians[0]:.0f}', f'{sum(columns[1]):.0f}', f'{medians[2]:.1f}', f'{max(columns[3]):.1f}']
    else:
        rates = columns[0]
        cells = [f'{medians[0]:,.0f} ({min(rates):,.0f}–{max(rates):,.0f})', f'{medians[1]:.2f}', f'{medians[2]:.2f}',
                 f'{medians[3]:.1f}']
        if 'of baseline' in header:
            base = median(figures[0] for figures in samples[workload, connections, 'baseline']) \
                if (workload, connections, 'baseline') in samples else 0
            cells.append(f'{medians[0] / base:.2f}' if base else '')
    print('|', ' | '.join([contender, workload, str(connections), *cells]), '|')
