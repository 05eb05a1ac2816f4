declare module "@alpinejs/csp" {
  interface Alpine {
    data(name: string, make: () => Record<string, unknown>): void
    magic(name: string, make: () => unknown): void
    start(): void
  }
  const alpine: Alpine
  export default alpine
}
