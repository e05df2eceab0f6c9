/** What makes an instruction impossible. The builder knows which instruction, and so the place in the file. */
export class InstructionProblem extends Error {
  override readonly name = "InstructionProblem";
}
