/**
 * Welch's t of two samples, in which those above the given percentile of both together are left out: what is slow there is the machine, and the
 * same bound for both favours neither (Reparaz, Balasch, Verbauwhede: Dude, is my code constant time?, 2017).
 */
export function welch(one: readonly number[], other: readonly number[], percentile = 0.9): number {
  const bound = [...one, ...other].sort((a, b) => a - b)[Math.floor((one.length + other.length) * percentile)]!
  const [a, b] = [one, other].map(sample => momentsOf(sample.filter(value => value < bound)))
  return (a!.mean - b!.mean) / Math.sqrt(a!.variance / a!.size + b!.variance / b!.size)
}

function momentsOf(sample: readonly number[]) {
  const size = sample.length
  const mean = sample.reduce((sum, value) => sum + value, 0) / size
  const variance = sample.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (size - 1)
  return { size, mean, variance }
}
