package main

import pb "gate/ebpfd"

// NTSTATUS values: what calls and callbacks of the registrar return.
const (
	statusSuccess          = 0x0
	statusPending          = 0x103
	statusInvalidParameter = 0xC000000D
	statusNoInterface      = 0xC00002B9
)

// ebpf_result: what invocations come to.
const (
	resultSuccess        = 0
	resultObjectNotFound = 7
	resultKeyNotFound    = 19
	resultCanceled       = 30
)

// GUIDs travel in the order of RFC 4122, as they are written.
var (
	programInformation = guid{0x29, 0x34, 0xad, 0x50, 0x21, 0x54, 0x44, 0xb6, 0x96, 0x22, 0x6c, 0x52, 0x8c, 0x06, 0x84, 0x11}
	hookContract       = guid{0x5d, 0x56, 0x40, 0x54, 0x27, 0x36, 0x40, 0x6d, 0x8b, 0x22, 0x12, 0xbc, 0xff, 0xaf, 0x0a, 0x9f}
	gateProgramType    = guid{0x3e, 0x0b, 0x1f, 0x52, 0x8d, 0x1c, 0x4b, 0x0e, 0x9a, 0x55, 0x0c, 0x6f, 0x36, 0x2e, 0x71, 0x01}
	gateAttachType     = guid{0x3e, 0x0b, 0x1f, 0x53, 0x8d, 0x1c, 0x4b, 0x0e, 0x9a, 0x55, 0x0c, 0x6f, 0x36, 0x2e, 0x71, 0x01}
)

type guid [16]byte

// What a program sees of a visitor: pointers at 0 and 8, which the daemon fills, then two numbers.
const contextSize = 24

func programTypeInstance() *pb.RegistrationInstance {
	return instance(programInformation, gateProgramType, &pb.Characteristics{
		Value: &pb.Characteristics_ProgramData{ProgramData: &pb.ProgramData{
			ProgramInfo: &pb.ProgramInfo{TypeDescriptor: &pb.ProgramTypeDescriptor{
				Name: "gate",
				ContextDescriptor: &pb.ContextDescriptor{
					Size: contextSize, Data: 0, End: 8, Meta: -1,
				},
				ProgramType: gateProgramType[:],
			}},
			Fields: []*pb.ContextField{
				{Name: "data", Offset: 0, Size: 8},
				{Name: "data_end", Offset: 8, Size: 8},
				{Name: "visitor", Offset: 16, Size: 4, Type: "u32"},
				{Name: "answer", Offset: 20, Size: 4, Type: "u32", Writable: true},
			},
			SectionPrefixes: []string{"gate"},
			Results:         []*pb.ProgramResult{{Value: 0, Name: "PASS"}, {Value: 1, Name: "STOP"}},
			ContextType:     "gate_context_t",
		}},
	})
}

func hookInstance() *pb.RegistrationInstance {
	return instance(hookContract, gateAttachType, &pb.Characteristics{
		Value: &pb.Characteristics_AttachProviderData{AttachProviderData: &pb.AttachProviderData{
			SupportedProgramType: gateProgramType[:],
			Name:                 "gates",
			Capability:           pb.AttachCapability_ATTACH_CAPABILITY_ONE_PER_PARAMETER,
		}},
	})
}

func instance(npi, module guid, characteristics *pb.Characteristics) *pb.RegistrationInstance {
	return &pb.RegistrationInstance{
		NpiId:           npi[:],
		ModuleId:        &pb.ModuleId{Id: &pb.ModuleId_Guid{Guid: module[:]}},
		Characteristics: characteristics,
	}
}
